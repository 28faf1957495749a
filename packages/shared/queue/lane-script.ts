// How effects enter and leave their lanes, inside a script. An effect's score is its place. Places are counted over all lanes, so
// of two effects the one that was planned earlier has the lower place, whatever lanes they are in. Only the head of a lane is
// queued: those behind it stand where BullMQ keeps jobs that wait for others, in `waiting-children`.
import { addingJobs } from './add-jobs.ts'

/** Lanes expire, so that nothing stays for ever of an effect that had already ended when it came again. */
export const keepSeconds = 90 * 24 * 3600

/** The name of a job that is queued only when nothing is ahead of it. One of any other name asks for its turn when it comes up. */
export const inLane = 'in-lane'

/**
 * Lua to begin a script with, `addingJobs` included. `enter(lane, id, queue, place, counter)` puts `id` into `lane` at `place`, or at
 * the end where that is nil, unless it is in it; it answers whether it is the head then, and its place. Whoever is under way in
 * `queue` is not overtaken; another head stands back, or finds so when it asks for its turn just then. `queueHead(lane, queue)`
 * queues the head of a lane that stood back, and takes out those that have ended. `before(lane, other, queue)` is the place in front
 * of `other`, and makes room there when no number is left; nil when that is not in the lane, or under way.
 * `questionBefore(questions, place)` is the first of the lane `questions`, if it was planned before `place`.
 */
export const movingInLanes = `${addingJobs}
local function headOf(lane, queue)
  while true do
    local head = redis.call('ZRANGE', lane, 0, 0, 'WITHSCORES')
    if not head[1] then return end
    local job = redis.call('HMGET', queue .. head[1], 'timestamp', 'finishedOn')
    if job[1] and not job[2] then return head[1], tonumber(head[2]) end
    redis.call('ZREM', lane, head[1])
  end
end
local function queueJob(queue, id)
  redis.call('LPUSH', queue .. 'wait', id)
  wake(queue)
end
local function queueHead(lane, queue)
  local head = headOf(lane, queue)
  if head and redis.call('ZREM', queue .. 'waiting-children', head) == 1 then queueJob(queue, head) end
  return head
end
local function isUnderWay(queue, id)
  local name, turn = unpack(redis.call('HMGET', queue .. id, 'name', 'turn'))
  return (name == '${inLane}' or turn) and redis.call('LPOS', queue .. 'active', id)
end
local function putAt(lane, place, id)
  redis.call('ZADD', lane, string.format('%.17g', place), id)
end
local function enter(lane, id, queue, place, counter)
  local head, headPlace = headOf(lane, queue)
  place = tonumber(redis.call('ZSCORE', lane, id) or place) or redis.call('INCR', counter)
  if head and head ~= id and place <= headPlace then
    if isUnderWay(queue, head) then
      local second = redis.call('ZRANGE', lane, 1, 1, 'WITHSCORES')[2]
      place = second and (headPlace + second) / 2 or headPlace + 0.5
    else
      redis.call('LREM', queue .. 'wait', 1, head)
      redis.call('ZREM', queue .. 'delayed', head)
      redis.call('HDEL', queue .. head, 'turn')
      local timestamp = redis.call('HGET', queue .. head, 'timestamp')
      if not redis.call('LPOS', queue .. 'active', head) then redis.call('ZADD', queue .. 'waiting-children', timestamp, head) end
      head = nil
    end
  end
  putAt(lane, place, id)
  redis.call('EXPIRE', lane, ${keepSeconds})
  if head and head ~= id then queueHead(lane, queue) end
  return not head or head == id, place
end
local function before(lane, other, queue)
  local rank = redis.call('ZRANK', lane, other)
  if not rank or (rank == 0 and isUnderWay(queue, other)) then return end
  local place = tonumber(redis.call('ZSCORE', lane, other))
  if rank == 0 then return place - 1 end
  local ahead = redis.call('ZRANGE', lane, 0, rank - 1, 'WITHSCORES')
  local between = (place + ahead[2 * rank]) / 2
  if between > tonumber(ahead[2 * rank]) and between < place then return between end
  local first = math.min(tonumber(ahead[2]), place - 1)
  local step = (place - first) / (rank + 1)
  for i = 1, rank do putAt(lane, first + (i - 1) * step, ahead[2 * i - 1]) end
  return place - step
end
local function questionBefore(questions, place)
  local first = questions ~= '' and redis.call('ZRANGE', questions, 0, 0, 'WITHSCORES') or {}
  return first[1] and tonumber(first[2]) < place and first[1]
end
`
