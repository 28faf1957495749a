// Writes parse trees the way MediaWiki does, for the tests of the reviewers page.

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

export function page(...parts: string[]): string {
  return `<root>${parts.join('\n')}</root>`
}

/** A heading; its inside is XML. */
export function heading(inside: string, level = 2): string {
  const signs = '='.repeat(level)
  return `<h level="${level}" i="1">${signs} ${inside} ${signs}</h>`
}

export function nowiki(text: string): string {
  return `<ext><name>nowiki</name><attr/><inner>${escaped(text)}</inner><close>&lt;/nowiki&gt;</close></ext>`
}

/** A template; a part written `name=value` is named, its XML is taken as it is. */
export function template(title: string, ...parts: string[]): string {
  let index = 0
  const written = parts.map((part) => {
    const [, name, value] = /^([\w ]+)=(.*)$/s.exec(part) ?? []
    if (name === undefined) return `<part><name index="${++index}"/><value>${part}</value></part>`
    return `<part><name>${name}</name><equals>=</equals><value>${value}</value></part>`
  })
  return `<template><title>${title}</title>${written.join('')}</template>`
}

export function mention(...parts: string[]): string {
  return template('Gitlab-mention', ...parts)
}
