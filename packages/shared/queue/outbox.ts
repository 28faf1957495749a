// The outbox: entries for the journal wait in a list in Redis until they are put together into jobs of the `journal` queue. A
// job for each entry would be most of all jobs there are. Entries of several workers go together, and nothing is lost when
// one dies.
import { addingJobs } from '#shared/queue/add-jobs.ts'
import { keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'
import { script } from '#shared/queue/redis-script.ts'

const mostEntries = 300
const mostBytes = 1024 * 1024
const mostJobs = 10

const drainScript = script(`${addingJobs}
local list, ids, queue, opts, now, mostEntries, mostBytes, mostJobs = KEYS[1], KEYS[2], unpack(ARGV)
local jobs = 0
while jobs < tonumber(mostJobs) do
  local entries, bytes = {}, 0
  while #entries < tonumber(mostEntries) do
    local next = redis.call('LINDEX', list, 0)
    if not next or (bytes > 0 and bytes + #next > tonumber(mostBytes)) then break end
    bytes = bytes + #next
    entries[#entries + 1] = redis.call('LPOP', list)
  end
  if #entries == 0 then break end
  local id = string.format('%.0f', redis.call('INCR', ids))
  addJob(queue, id, 'entries', '{"entries":[' .. table.concat(entries, ',') .. ']}', opts, now)
  jobs = jobs + 1
end
if jobs > 0 then wake(queue) end
return jobs`)

/** The list that is the outbox. */
export const outboxKey = (prefix: string) => `${keyPrefix(prefix)}:told`

/**
 * Lua to begin a script with. `putEntry(list, entry, now)` puts an entry into the outbox `list`, with the time of Redis `now` (ms) as
 * `toldAtMs`.
 */
export const puttingEntries = `
local function putEntry(list, entry, now)
  redis.call('RPUSH', list, '{"toldAtMs":' .. string.format('%.0f', now) .. ',' .. string.sub(entry, 2))
end
`

const addStamped = script(`${puttingEntries}
local time = redis.call('TIME')
putEntry(KEYS[1], ARGV[1], time[1] * 1000 + math.floor(time[2] / 1000))`)

/** Puts an entry, the text of a JSON object, into the outbox; `stamped` gives it the time of Redis as `toldAtMs`. */
export async function addToOutbox({ redis, prefix }: QueuePlace, entry: string, { stamped = false } = {}): Promise<void> {
  if (stamped) await addStamped(redis, [outboxKey(prefix)], [entry])
  else await redis.rpush(outboxKey(prefix), entry)
}

/** How many entries are in the outbox. */
export async function outboxLength({ redis, prefix }: QueuePlace): Promise<number> {
  return await redis.llen(outboxKey(prefix))
}

/**
 * Moves all entries of the outbox into jobs with the options `opts`, in one step for each few: at most 300 entries in a job,
 * and more than one only if they have at most 1 MiB together.
 */
export async function drainOutbox({ redis, prefix }: QueuePlace, opts: object): Promise<void> {
  const queue = `${keyPrefix(prefix)}:journal:`
  const args = [queue, JSON.stringify(opts), Date.now(), mostEntries, mostBytes, mostJobs]
  while ((await drainScript(redis, [outboxKey(prefix), `${queue}id`], args)) === mostJobs);
}
