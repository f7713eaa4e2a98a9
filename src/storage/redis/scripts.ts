/**
 * Lua scripts for the steps of more than one command: each runs as a whole, and touches one key, as a cluster demands.
 *
 * @module
 */

/**
 * `ARGV[1]` is the channel, `ARGV[2]` the announcement, empty for none. This comes first, so that a step that may not
 * announce changes nothing.
 */
const ANNOUNCE = "if ARGV[2] ~= '' then redis.call('PUBLISH', ARGV[1], ARGV[2]) end\n"

/** `ARGV[3]` is the value, `ARGV[4]` its lifetime in milliseconds, empty for ever. */
const SET = `if ARGV[4] == '' then redis.call('SET', KEYS[1], ARGV[3])
else redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end
return 1`

/** Sets and announces. */
export const SET_SCRIPT = ANNOUNCE + SET

/** Sets and announces if the value is the text `ARGV[5]`, and returns 1; else returns 0. */
export const REPLACE_SCRIPT = `if redis.call('GET', KEYS[1]) ~= ARGV[5] then return 0 end
${ANNOUNCE}${SET}`

/** Deletes and announces; returns the value that was there. */
export const DELETE_SCRIPT = `${ANNOUNCE}local value = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return value`

/** Counts one more in a window of `ARGV[1]` milliseconds; returns the count and the milliseconds left. */
export const COUNT_SCRIPT = `local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return { count, left }`

/**
 * A heartbeat on the channel `ARGV[1]`. Deleting the key, which nobody sets, fails wherever writes fail: a server that
 * has become a replica, or has lost its replicas, must not pass for the server that others write to.
 */
export const BEAT_SCRIPT = `redis.call('DEL', KEYS[1])
return redis.call('PUBLISH', ARGV[1], ARGV[2])`
