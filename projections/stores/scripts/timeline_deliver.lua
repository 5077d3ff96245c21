-- KEYS: timelines. ARGV: cap, bound, then for each entry its score, member, pull ('' for none) and how many of the
-- keys take it. Answers how many timelines took an entry that they did not have.
local cap, bound = tonumber(words[1]), tonumber(words[2])
local added, last = 0, 0
for at = 3, #words, 4 do
  local score, member, pull = words[at], words[at + 1], words[at + 2]
  local first = last + 1
  last = last + tonumber(words[at + 3])
  for number = first, last do
    local key = keys[number]
    local size = call('ZCARD', key)
    if size > 0 then
      if pull ~= '' then call('ZADD', key, 'inf', pull) end
      if call('ZADD', key, score, member) == 1 then
        added = added + 1
        if size > bound then trim(key, cap, bound) end
      end
    end
  end
end
return added
