// How a message is appended to the relay, in one step inside Redis. The newest cursor stands in a key of its own, the
// head: it is above all that was ever given, also when the stream is empty and when the clock goes back.
import { showAgain } from './hidden-projects.ts'
import { script } from './redis-script.ts'

/**
 * KEYS: the stream; the marker of the delivery; the head; the hidden projects; their log. ARGV: 1 the message; 2 how many
 * messages to keep; 3 seconds for the marker; 4 and 5 the cursor and the previous one that it had earlier, or empty; 6 what the
 * journal knows: empty (not asked yet), a cursor, or `unknown`; 7 what the message is about, or empty; 8, where its project is
 * public, when it was received; 9 and on the names of that project. Answers `<cursor> <previous>`, or nothing when the head is
 * lost and the journal must be asked.
 */
export const publishOnce = script(`${showAgain}
if ARGV[8] then showAgain(KEYS[4], KEYS[5], ARGV[8], {unpack(ARGV, 9)}) end
local told = redis.call('GET', KEYS[2])
if told then return told end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local head = redis.call('GET', KEYS[3])
if not head then
  local known = ARGV[6]
  if known == '' then return nil end
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  if known == '0-0' and not last then
    head = known
  else
    local after = math.max(tonumber(string.match(known, '^%d+') or 0), last and tonumber(string.match(last[1], '^%d+')) or 0)
    head = string.format('%.0f-0', math.max(now, after + 1))
  end
  redis.call('SET', KEYS[3], head)
end

local headTime, headNumber = string.match(head, '^(%d+)-(%d+)$')
local cursor, previous
if ARGV[4] ~= '' then
  cursor, previous = ARGV[4], ARGV[5]
  local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], cursor, 'message', ARGV[1], 'previous', previous, 'about', ARGV[7])
  local t, n = string.match(cursor, '^(%d+)-(%d+)$')
  local isNewer = tonumber(t) > tonumber(headTime) or (t == headTime and tonumber(n) > tonumber(headNumber))
  if type(added) == 'string' and isNewer then redis.call('SET', KEYS[3], cursor) end
else
  if now > tonumber(headTime) then
    cursor = string.format('%.0f-0', now)
  else
    cursor = string.format('%s-%.0f', headTime, headNumber + 1)
  end
  previous = head
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], cursor, 'message', ARGV[1], 'previous', previous, 'about', ARGV[7])
  redis.call('SET', KEYS[3], cursor)
end
local link = cursor .. ' ' .. previous
redis.call('SET', KEYS[2], link, 'EX', ARGV[3])
return link`)
