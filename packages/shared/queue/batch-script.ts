// The scripts of the router: it takes what waits in `deliveries`, and settles it when it has been planned. What is taken stays in
// `wait` until then, in its order, so that a router that dies leaves everything as it was.
import { dispatching, rowLength } from './dispatch.ts'
import { hiding } from './hidden-projects.ts'
import { puttingEntries } from './outbox.ts'
import { script } from './redis-script.ts'
import { publishing } from './relay-script.ts'

// One router over all workers: whoever holds its key. A note beside it says what it has under way; whoever finds the note of
// another one counts a death for each delivery in it, and takes these one by one. What an earlier release's workers have under way
// is theirs while they hold its lock.
const taking = `
local router, note, hold, queue = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function takeBack(now)
  for _, id in ipairs(redis.call('LRANGE', queue .. 'active', 0, -1)) do
    if redis.call('EXISTS', queue .. id .. ':lock') == 1 then return false end
    redis.call('LREM', queue .. 'active', -1, id)
    redis.call('RPUSH', queue .. 'wait', id)
    redis.call('HINCRBY', queue .. id, 'stc', 1)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue .. 'delayed', 0, (now + 1) * 0x1000 - 1, 'LIMIT', 0, 100)) do
    redis.call('ZREM', queue .. 'delayed', id)
    redis.call('LPUSH', queue .. 'wait', id)
  end
  return true
end
local function countDeaths(token)
  local ids = cjson.decode(redis.call('GET', note) or '[]')
  if #ids == 0 or ids[1] == token then return end
  for i = 2, #ids do
    if redis.call('EXISTS', queue .. ids[i]) == 1 then redis.call('HINCRBY', queue .. ids[i], 'stc', 1) end
  end
  redis.call('DEL', note)
end
local function take(token, now, leaseMs, most, mostBytes)
  local isStopped = redis.call('HGET', queue .. 'meta', 'paused') or redis.call('HGET', hold, 'until') and redis.call('PTTL', queue .. 'limiter') > 0
  if isStopped or not takeBack(now) then return {} end
  countDeaths(token)
  local ids, jobs, bytes, waiting = {token}, {}, 0, redis.call('LRANGE', queue .. 'wait', -most, -1)
  for i = #waiting, 1, -1 do
    local id = waiting[i]
    local data, deaths, timestamp = unpack(redis.call('HMGET', queue .. id, 'data', 'stc', 'timestamp'))
    bytes = bytes + #(data or '')
    if #jobs > 0 and (deaths or bytes > mostBytes) then break end
    ids[#ids + 1] = id
    jobs[#jobs + 1] = {id, data or '', deaths or '0', timestamp or tostring(now)}
    if deaths then break end
  end
  if #jobs > 0 then redis.call('SET', note, cjson.encode(ids)) else redis.call('DEL', note) end
  redis.call('SET', router, token, 'PX', leaseMs + math.floor(bytes / 1024))
  return jobs
end
`

/**
 * KEYS: the router's; its note; the hold of the queue; the queue's prefix. ARGV: the token of this router; ms for which it stays so; how
 * many deliveries and bytes to take at most. Answers for how many ms another one is the router, and what is taken: for each delivery
 * its job, what that carries, at how many deaths it was under way, and when it was added.
 */
export const takeBatch = script(`${dispatching}${taking}
local token, leaseMs, most, mostBytes = unpack(ARGV)
local holder = redis.call('GET', router)
if holder and holder ~= token then return {redis.call('PTTL', router), {}} end
redis.call('SET', router, token, 'PX', leaseMs)
return {0, take(token, tonumber(nowMs()), tonumber(leaseMs), tonumber(most), tonumber(mostBytes))}`)

/** KEYS: the router's; its note. ARGV: the token, and ms for which this one stays the router if it is, or 0 to leave. */
export const stayRouter = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1], KEYS[2]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`)

/**
 * KEYS: as `takeBatch`, then the outbox; the counter of places; the hidden projects; their log; the relay's stream; its head. ARGV: the
 * token; options of an effect's job; how many s and how many done deliveries are kept; how many messages; how many deliveries there
 * are. For each of these: why it is dead, or empty; then, each with its number in front, the entries for the journal, when it came
 * and the names of the project to hide, and the rows of the effects; and of each message the row of its effect, which is used where
 * the relay cannot be appended to at once, its marker, the entry of its end, the message itself, what it is about, and when and by
 * which names its project is public. Answers how many messages were appended; -1, and has done nothing, when these are not at hand
 * any more. What is done first can be repeated, since Redis takes nothing back when it fails in the middle: deliveries are done when
 * all the rest is.
 */
export const settleBatch = script(`${dispatching}${hiding}${puttingEntries}${publishing}${taking}
local outbox, counter, hidden, hiddenLog, stream, head = unpack(KEYS, 5)
local token, opts, keepSeconds, keepMost, keepMessages, count = unpack(ARGV, 1, 6)
local relay = {stream = stream, head = head, hidden = hidden, log = hiddenLog}
local at, published = 6, 0
local function nextArgs(many)
  at = at + many
  return {unpack(ARGV, at - many + 1, at)}
end
local function nextArg() return nextArgs(1)[1] end
local now = nowMs()
local function isIdle(feed)
  if redis.call('HGET', feed .. 'meta', 'paused') then return false end
  return redis.call('LLEN', feed .. 'wait') + redis.call('LLEN', feed .. 'active') + redis.call('ZCARD', feed .. 'delayed') == 0
end
local function append(row, marker, entry, one)
  one.earlier, one.known = '', ''
  local link = isIdle(row[1]) and redis.call('EXISTS', row[1] .. row[4]) == 0 and publish(relay, marker, one)
  if not link then return dispatch(row, opts, now, counter, nil, {}) end
  local place = string.gsub(link, '^(%S+) (%S+)$', '{"made":"%1","previous":"%2",')
  putEntry(outbox, place .. string.sub(entry, 2), now)
  published = published + 1
end
local holder = redis.call('GET', router)
if holder and holder ~= token then return -1 end
local ids = cjson.decode(redis.call('GET', note) or '[]')
local waiting = redis.call('LRANGE', queue .. 'wait', -tonumber(count), -1)
if ids[1] ~= token or #ids ~= count + 1 or #waiting ~= tonumber(count) then return -1 end
for i = 1, #waiting do
  if waiting[#waiting - i + 1] ~= ids[i + 1] then return -1 end
end
local reasons = {}
for i = 1, count do
  reasons[i] = nextArg()
  for _ = 1, tonumber(nextArg()) do
    local entry = nextArg()
    if string.find(entry, '"type":"ended"', 1, true) == 2 then putEntry(outbox, entry, now) else redis.call('RPUSH', outbox, entry) end
  end
  local names = nextArgs(nextArg())
  if #names > 0 then hide(hidden, hiddenLog, names[1], {unpack(names, 2)}) end
  for _ = 1, tonumber(nextArg()) do dispatch(nextArgs(${rowLength}), opts, now, counter, nil, {}) end
  for _ = 1, tonumber(nextArg()) do
    local row = nextArgs(${rowLength})
    local marker, entry, message, about = unpack(nextArgs(4))
    local shown = nextArgs(nextArg())
    local one = {message = message, about = about, keep = keepMessages, receivedAt = shown[1], names = {unpack(shown, 2)}}
    append(row, marker, entry, one)
  end
end
for i = 1, count do
  local id, dead = ids[i + 1], reasons[i]
  if redis.call('EXISTS', queue .. id) == 1 then
    redis.call('HINCRBY', queue .. id, 'atm', 1)
    redis.call('HSET', queue .. id, 'processedOn', now, 'finishedOn', now, dead == '' and 'returnvalue' or 'failedReason', dead == '' and 'null' or dead)
    redis.call('ZADD', queue .. (dead == '' and 'completed' or 'failed'), now, id)
  end
end
redis.call('LTRIM', queue .. 'wait', 0, -count - 1)
redis.call('DEL', note)
local function forget(old)
  for _, id in ipairs(old) do redis.call('DEL', queue .. id, queue .. id .. ':logs') end
  if #old > 0 then redis.call('ZREM', queue .. 'completed', unpack(old)) end
end
forget(redis.call('ZRANGEBYSCORE', queue .. 'completed', 0, now - keepSeconds * 1000, 'LIMIT', 0, 1000))
local over = redis.call('ZCARD', queue .. 'completed') - keepMost
if over > 0 then forget(redis.call('ZRANGE', queue .. 'completed', 0, math.min(over, 1000) - 1)) end
return published`)
