-- KEYS: authors. ARGV: a new life, expiry in ms. Answers for each the life of what is kept there now. The expiry is
-- never renewed: whatever an engine may lose in between is read from the rows again.
local answer = {}
for number, key in ipairs(keys) do
  local state, _, life = state_of(key)
  if not state then
    life = words[1]
    call('ZADD', key, 'inf', '\255?' .. life .. ':0:-1')
    call('PEXPIRE', key, words[2])
  end
  answer[number] = life
end
return answer
