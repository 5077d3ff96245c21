-- KEYS: one timeline. ARGV: cap, the low mark that ends a fill ('' for none), the life that was opened for it, then
-- for each entry its score, member and pull ('' for none).
local key, cap, low_mark = keys[1], tonumber(words[1]), words[2]
local state, kind, life, mark = state_of(key)
if not state then return 0 end
if low_mark ~= '' and kind == '?' and life == words[3] then
  if tonumber(low_mark) > tonumber(mark) then mark = low_mark end
  raise_mark(key, state, '!', life, mark)
end
local floor_ms = tonumber(mark)
for at = 4, #words, 3 do
  if words[at + 2] ~= '' then call('ZADD', key, 'inf', words[at + 2]) end
  if tonumber(words[at]) > floor_ms then call('ZADD', key, words[at], words[at + 1]) end
end
trim(key, cap, cap)
return 1
