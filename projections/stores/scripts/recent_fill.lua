-- KEYS: one author. ARGV: cap, the life that was opened for it, the low mark of what was read, then each post's score
-- and member. What is filled already, or was lost and opened by another, is left as it is.
local key, cap = keys[1], tonumber(words[1])
local state, kind, life, mark, version = state_of(key)
if kind ~= '?' or life ~= words[2] then return 0 end
if tonumber(words[3]) > tonumber(mark) then mark = words[3] end
for at = 4, #words, 2 do
  local score, member = words[at], words[at + 1]
  if tonumber(score) > tonumber(mark) and not call('ZSCORE', key, '\254' .. string.sub(member, 1, 16)) then
    call('ZADD', key, score, member)
  end
end
call('ZREMRANGEBYSCORE', key, '-inf', mark)
for _, member in ipairs(call('ZRANGEBYSCORE', key, 'inf', 'inf')) do
  if string.byte(member) == 254 then call('ZREM', key, member) end
end
put_state(key, state, '!', life, trimmed(key, cap, cap, mark), version)
return 1
