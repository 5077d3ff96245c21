-- KEYS: one timeline. ARGV: cap, the low mark that ends a fill ('' for none), the life that was opened for it, then
-- for each entry its score, member and pull ('' for none).
local key, cap, low_mark = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local sentinel = call('ZRANGE', key, 0, 0, 'WITHSCORES')
if not sentinel[1] then return 0 end
local mark = sentinel[2]
if low_mark ~= '' and sentinel[1] == '?' .. ARGV[3] then
  if tonumber(low_mark) > tonumber(mark) then mark = low_mark end
  raise_mark(key, '!' .. ARGV[3], mark)
  call('ZREM', key, sentinel[1])
end
local floor_ms = tonumber(mark)
for at = 4, #ARGV, 3 do
  if ARGV[at + 2] ~= '' then call('ZADD', key, 'inf', ARGV[at + 2]) end
  if tonumber(ARGV[at]) > floor_ms then call('ZADD', key, ARGV[at], ARGV[at + 1]) end
end
trim(key, cap, cap)
return 1
