-- KEYS: cache entries. ARGV: for each key the number of its fields, and their names. Answers the values, key by key.
local at, answer = 1, {}
for number, key in ipairs(KEYS) do
  local last = at + tonumber(ARGV[at])
  answer[number] = redis.call('HMGET', key, unpack(ARGV, at + 1, last))
  at = last + 1
end
return answer
