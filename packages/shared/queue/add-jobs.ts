// How jobs are added inside a script of ours: what BullMQ writes for a job without delay, priority and parent (a test
// compares the two), but for the events, which nobody reads. An `add` of its own for each job would cost several times as
// much, here and in Redis.

/**
 * Lua to begin a script with. `addJob(queue, id, name, data, opts, now)` adds a job to the queue whose keys begin with
 * `queue`, unless one with this id is there; `storeJob` writes the job alone. `wake(queue)` tells the workers that wait there, after
 * the last one. `serial(queue)` says that its jobs run one after another, over all workers: written with each job, it cannot be
 * missing where there are any.
 */
export const addingJobs = `
local function storeJob(queue, id, name, data, opts, now)
  redis.call('HSET', queue .. id, 'name', name, 'data', data, 'opts', opts, 'timestamp', now, 'delay', '0', 'priority', '0')
end
local function addJob(queue, id, name, data, opts, now)
  if redis.call('EXISTS', queue .. id) == 1 then return end
  storeJob(queue, id, name, data, opts, now)
  redis.call('LPUSH', queue .. 'wait', id)
end
local function wake(queue)
  local paused, most = unpack(redis.call('HMGET', queue .. 'meta', 'paused', 'concurrency'))
  if paused or (most and redis.call('LLEN', queue .. 'active') >= tonumber(most)) then return end
  redis.call('ZADD', queue .. 'marker', 0, '0')
end
local function serial(queue)
  redis.call('HSETNX', queue .. 'meta', 'concurrency', 1)
end
`
