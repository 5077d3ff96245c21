-- KEYS: one timeline. ARGV: a new life, expiry in ms. Answers the life of the timeline that is there now.
local sentinel = call('ZRANGE', KEYS[1], 0, 0)[1]
if not sentinel then
  sentinel = '?' .. ARGV[1]
  call('ZADD', KEYS[1], 0, sentinel)
end
call('PEXPIRE', KEYS[1], ARGV[2])
return string.sub(sentinel, 2)
