-- KEYS: one timeline. ARGV: a new life, expiry in ms. Answers the life of the timeline that is there now.
local key = keys[1]
local state, _, life = state_of(key)
if not state then
  life = words[1]
  call('ZADD', key, 'inf', '\255?' .. life .. ':0')
end
call('PEXPIRE', key, words[2])
return life
