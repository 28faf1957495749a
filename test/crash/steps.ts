// The steps on a delivery's way at which a worker is killed, each just before and just after. A step is a command to
// Redis, known by what is in it, or a call that arrives at a remote. Some are taken only where a delivery may come `again`.
export type Step = { name: string; again?: true } & ({ command: RegExp } | { remote: 'phabricator' | 'gitlab'; path: RegExp })

const place = (queue: string) => `\\{[^}]*\\}:${queue}:`

/** The commands of the router and of each performer, in the order in which they come. */
export const steps: Step[] = [
  { name: 'taking deliveries', command: /^evalsha \S+ 4 \S+:router / },
  { name: 'settling deliveries', command: /^evalsha \S+ 10 \S+:router / },
  { name: 'gathering what the journal was told', command: /^evalsha \S+ \d+ \S+:told \S+:journal:id /i },
  { name: 'confirming before the comment', command: new RegExp(`${place('phabricator')}\\S+:lock ${place('phabricator')}stalled`) },
  { name: 'commenting', remote: 'phabricator', path: /maniphest\.edit$/ },
  { name: 'ending an effect', command: new RegExp(`^evalsha \\S+ 6 \\S+:told ${place('phabricator')}\\S+:lock `) },
  { name: 'completing an effect', command: new RegExp(`${place('phabricator')}.* returnvalue `, 's') },
  { name: 'reading the commits', remote: 'gitlab', path: /\/commits\b/ },
  { name: 'adding what the commits name', command: /^evalsha \S+ 3 \S+:planned \S+:commits:\S+:lock / },
  { name: 'completing the reading of commits', command: new RegExp(`${place('commits')}.* returnvalue `, 's') },
  { name: 'confirming before the note', command: new RegExp(`${place('gitlab-mentions')}\\S+:lock ${place('gitlab-mentions')}stalled`) },
  { name: 'writing the note', remote: 'gitlab', path: /\/notes\b/ },
  { name: 'completing the note', command: new RegExp(`${place('gitlab-mentions')}.* returnvalue `, 's') },
  { name: 'publishing again on the feed', again: true, command: /^evalsha \S+ 5 \S+:feed \S+:published:/ },
  { name: 'completing a feed message', again: true, command: new RegExp(`${place('sse')}.* returnvalue `, 's') },
]
