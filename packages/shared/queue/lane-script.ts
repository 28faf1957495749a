// How an effect enters its lane, inside a script. An effect's score is its place. Places are counted over all lanes, so of two
// effects the one that was planned earlier has the lower place, whatever lanes they are in.

/**
 * Lua to begin a script with. `enter(lane, turn, id, queue, place, counter, seconds)` puts `id` into `lane` with the score
 * `place`, or at the end where that is nil, unless it is in it. Whoever has the turn (the key `turn` names it) and is under
 * way in `queue` is not overtaken. `before(lane, other)` is the place in front of `other`; nil when that is not in the lane.
 */
export const enteringLanes = `
local function enter(lane, turn, id, queue, place, counter, seconds)
  if redis.call('ZSCORE', lane, id) then return end
  place = tonumber(place) or redis.call('INCR', counter)
  local head = redis.call('ZRANGE', lane, 0, 1, 'WITHSCORES')
  local isUnderWay = head[1] and redis.call('GET', turn) == head[1] and redis.call('LPOS', queue .. 'active', head[1])
  if isUnderWay and place <= tonumber(head[2]) then
    place = head[4] and (head[2] + head[4]) / 2 or head[2] + 0.5
  end
  redis.call('ZADD', lane, string.format('%.17g', place), id)
  redis.call('EXPIRE', lane, seconds)
end
local function before(lane, other)
  local rank = redis.call('ZRANK', lane, other)
  if not rank then return end
  local place = tonumber(redis.call('ZSCORE', lane, other))
  local ahead = rank > 0 and redis.call('ZRANGE', lane, rank - 1, rank - 1, 'WITHSCORES')[2]
  return ahead and (place + ahead) / 2 or place - 1
end
`

/** Lanes expire, so that nothing stays for ever of an effect that had already ended when it came again. */
export const keepSeconds = 90 * 24 * 3600
