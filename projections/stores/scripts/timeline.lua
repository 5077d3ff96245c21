-- What the timeline scripts share. A timeline is one sorted set, so that its existence, its state, its low mark and its
-- entries change together:
--   its entries   16 bytes, post id and author id, big-endian; the score is when the post was published, in ms
--   its pulls     "@" .. author id (8 bytes), score inf: authors whose posts are merged on reading
--   its state     "\255?" or "\255!" .. life .. ":" .. low mark, score inf: being filled, or filled; always the last
-- Entries at or below the low mark are not part of it: delivery may leave some there, because asking for the mark first
-- costs as much as adding; no page shows them, and the next trim takes them away.
local call, keys, words = redis.call, KEYS, ARGV
local STATE = '^\255([?!])(%x*):(%d+)$'

-- The state of a timeline as it is stored, then its kind, life and low mark; nothing where there is no timeline.
local function state_of(key)
  local state = call('ZRANGE', key, -1, -1)[1]
  if state then return state, string.match(state, STATE) end
end

-- Removes what lies at or below `mark`, which becomes the low mark.
local function raise_mark(key, state, kind, life, mark)
  local raised = '\255' .. kind .. life .. ':' .. mark
  if raised ~= state then
    call('ZADD', key, 'inf', raised)
    call('ZREM', key, state)
  end
  call('ZREMRANGEBYSCORE', key, '-inf', mark)
end

-- Keeps the newest `cap` entries once there are more than `bound`. By rank, because that moves the rest only once.
local function trim(key, cap, bound)
  if call('ZCARD', key) - 1 <= bound then return end
  local tops = call('ZREVRANGEBYSCORE', key, 'inf', 'inf')
  local kind, life, mark = string.match(tops[1], STATE)
  call('ZREMRANGEBYSCORE', key, '-inf', mark)
  local entries = call('ZCARD', key) - #tops
  if entries <= bound then return end
  local last_gone = entries - cap - 1
  local raised = call('ZRANGE', key, last_gone, last_gone, 'WITHSCORES')[2]
  call('ZREMRANGEBYRANK', key, 0, last_gone)
  raise_mark(key, tops[1], kind, life, raised)
end
