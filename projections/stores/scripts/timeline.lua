-- What the timeline scripts share. A timeline is one sorted set, so that its existence, its low mark and its entries
-- change together:
--   its sentinel  "?" .. life while it is being filled, "!" .. life once it is; its score is the low mark,
--                 and no entry's score is as low, so it is always the first member
--   its entries   16 bytes, post id and author id, big-endian; the score is when the post was published, in ms
--   its pulls     "@" .. author id (8 bytes), score inf: authors whose posts are merged on reading
local call = redis.call

-- Moves the sentinel up to `mark` and removes the entries at or below it. The sentinel goes first: a set that
-- became empty in between would lose its expiry.
local function raise_mark(key, sentinel, mark)
  call('ZADD', key, mark, sentinel)
  call('ZREMRANGEBYSCORE', key, '-inf', '(' .. mark)
  for _, member in ipairs(call('ZRANGEBYSCORE', key, mark, mark)) do
    if member ~= sentinel then call('ZREM', key, member) end
  end
end

-- Keeps the newest `cap` entries once there are more than `bound`.
local function trim(key, cap, bound)
  local entries = call('ZCARD', key) - 1
  if entries <= bound then return end
  entries = entries - call('ZCOUNT', key, 'inf', 'inf')
  if entries <= bound then return end
  local newest_gone = call('ZRANGE', key, entries - cap, entries - cap, 'WITHSCORES')
  raise_mark(key, call('ZRANGE', key, 0, 0)[1], newest_gone[2])
end
