// Gives Node.js the EventSource that browsers have: for --import, before a program that was written for them. Like a
// page that stays open, the program then goes on until it is stopped.
import { EventSource } from 'eventsource'

Object.assign(globalThis, { EventSource })
setInterval(() => undefined, 60_000)
