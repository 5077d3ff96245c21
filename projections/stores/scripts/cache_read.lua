-- KEYS: cache entries. ARGV: for each run of entries of which the same fields are read, how many entries, how many fields,
-- and their names. Answers the values, key by key.
local number, at, answer = 0, 1, {}
while number < #KEYS do
  local first, last = at + 2, at + 1 + tonumber(ARGV[at + 1])
  for _ = 1, tonumber(ARGV[at]) do
    number = number + 1
    answer[number] = redis.call('HMGET', KEYS[number], unpack(ARGV, first, last))
  end
  at = last + 1
end
return answer
