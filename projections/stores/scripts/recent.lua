-- What the scripts of recent posts share. An author's newest posts are one sorted set:
--   its posts     17 bytes, when it was published in ms and its id, big-endian, then how it reaches followers; the score
--                 is the time of publication
--   removals      "\254" .. the 16 bytes of a post's place, score inf: only while it is filled, so that the rows which
--                 the filler read before a deletion do not bring the post back
--   its state     "\255?" or "\255!" .. life .. ":" .. low mark .. ":" .. version, score inf: being filled, or filled;
--                 always the last
local call, keys, words = redis.call, KEYS, ARGV
local STATE = '^\255([?!])(%x*):(%d+):(%-?%d+)$'

-- The state as it is stored, then its kind, life, low mark and version; nothing where nothing is kept.
local function state_of(key)
  local state = call('ZRANGE', key, -1, -1)[1]
  if state then return state, string.match(state, STATE) end
end

local function put_state(key, old, kind, life, mark, version)
  local new = '\255' .. kind .. life .. ':' .. mark .. ':' .. version
  if new ~= old then
    call('ZADD', key, 'inf', new)
    call('ZREM', key, old)
  end
end

-- Keeps the newest `cap` posts once there are more than `bound`; answers the mark above which all are there.
local function trimmed(key, cap, bound, mark)
  local posts = call('ZCOUNT', key, '-inf', '(inf')
  if posts <= bound then return mark end
  local raised = call('ZRANGE', key, posts - cap - 1, posts - cap - 1, 'WITHSCORES')[2]
  call('ZREMRANGEBYSCORE', key, '-inf', raised)
  return raised
end
