// A button beside each example, and one for the address of the feed.

for (const element of document.querySelectorAll('#feed, pre')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.addEventListener('click', (event) => {
    event.preventDefault()
    void copy(element).then((isCopied) => (button.textContent = isCopied ? 'Copied' : 'Selected'))
  })
  element.after(button)
}

// Without TLS a page has no clipboard: then the text is selected for the reader to copy.
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent)
    return true
  } catch {
    getSelection().selectAllChildren(element)
    return false
  }
}
