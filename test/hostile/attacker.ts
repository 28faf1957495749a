// Plays attacks in a process of its own, so that what they cost does not count: node test/hostile/attacker.ts PORT SIZE NAME…
// Without a name it plays all of them. Ends when it is killed.
import { attacks, begin } from './attacks.ts'

const [port, size, ...names] = process.argv.slice(2)
for (const attack of attacks) if (names.length === 0 || names.includes(attack.name)) begin(attack, Number(port), Number(size))
process.stdout.write('attacking\n')
setInterval(() => undefined, 60_000)
