// How a message is appended to the relay, in one step inside Redis. The newest cursor stands in a key of its own, the
// head: it is above all that was ever given, also when the stream is empty and when the clock goes back.
import { showAgain } from './hidden-projects.ts'
import { script } from './redis-script.ts'

/** How many seconds it is remembered that a delivery was published. */
export const markerSeconds = 8 * 24 * 3600

/**
 * Lua to begin a script with. `publish(relay, marker, one)` appends a message to the relay, whose keys are `stream`, `head`, `hidden` and
 * `log`, unless `marker` says that it was. Of `one`: the `message`; how many messages to `keep`; the cursor and the previous one that
 * it had `earlier` and `earlierPrevious`, or empty; what the journal knows (`known`): empty (not asked yet), a cursor, or `unknown`;
 * what the message is `about`, or empty; where its project is public, `receivedAt` and the `names` of that project. Answers
 * `<cursor> <previous>`, or nothing when the head is lost and the journal must be asked.
 */
export const publishing = `${showAgain}
local function publish(relay, marker, one)
  if one.receivedAt then showAgain(relay.hidden, relay.log, one.receivedAt, one.names) end
  local told = redis.call('GET', marker)
  if told then return told end

  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local head = redis.call('GET', relay.head)
  if not head then
    local known = one.known
    if known == '' then return nil end
    local last = redis.call('XREVRANGE', relay.stream, '+', '-', 'COUNT', 1)[1]
    if known == '0-0' and not last then
      head = known
    else
      local after = math.max(tonumber(string.match(known, '^%d+') or 0), last and tonumber(string.match(last[1], '^%d+')) or 0)
      head = string.format('%.0f-0', math.max(now, after + 1))
    end
    redis.call('SET', relay.head, head)
  end

  local headTime, headNumber = string.match(head, '^(%d+)-(%d+)$')
  local cursor, previous
  if one.earlier ~= '' then
    cursor, previous = one.earlier, one.earlierPrevious
    local added = redis.pcall('XADD', relay.stream, 'MAXLEN', '~', one.keep, cursor, 'message', one.message, 'previous', previous, 'about', one.about)
    local t, n = string.match(cursor, '^(%d+)-(%d+)$')
    local isNewer = tonumber(t) > tonumber(headTime) or (t == headTime and tonumber(n) > tonumber(headNumber))
    if type(added) == 'string' and isNewer then redis.call('SET', relay.head, cursor) end
  else
    if now > tonumber(headTime) then
      cursor = string.format('%.0f-0', now)
    else
      cursor = string.format('%s-%.0f', headTime, headNumber + 1)
    end
    previous = head
    redis.call('XADD', relay.stream, 'MAXLEN', '~', one.keep, cursor, 'message', one.message, 'previous', previous, 'about', one.about)
    redis.call('SET', relay.head, cursor)
  end
  local link = cursor .. ' ' .. previous
  redis.call('SET', marker, link, 'EX', ${markerSeconds})
  return link
end
`

/**
 * KEYS: the stream; the marker of the delivery; the head; the hidden projects; their log. ARGV, as `publish` has them: the message; how
 * many to keep; the earlier cursor and previous one; what is known; what it is about; when it was received; the names.
 */
export const publishOnce = script(`${publishing}
local relay = {stream = KEYS[1], head = KEYS[3], hidden = KEYS[4], log = KEYS[5]}
return publish(relay, KEYS[2], {
  message = ARGV[1], keep = ARGV[2], earlier = ARGV[3], earlierPrevious = ARGV[4], known = ARGV[5], about = ARGV[6],
  receivedAt = ARGV[7], names = {unpack(ARGV, 8)}
})`)
