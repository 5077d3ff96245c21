-- KEYS: timelines. ARGV: cap, bound, then for each entry its score, member, pull ('' for none) and how many of the
-- keys take it. Answers how many timelines took an entry that they did not have.
local cap, bound = tonumber(ARGV[1]), tonumber(ARGV[2])
local added, last = 0, 0
for at = 3, #ARGV, 4 do
  local score, member, pull = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local published_ms = tonumber(score)
  local first = last + 1
  last = last + tonumber(ARGV[at + 3])
  for number = first, last do
    local key = KEYS[number]
    local sentinel = call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if sentinel[1] then
      if pull ~= '' then call('ZADD', key, 'inf', pull) end
      if published_ms > tonumber(sentinel[2]) and call('ZADD', key, score, member) == 1 then
        added = added + 1
        trim(key, cap, bound)
      end
    end
  end
end
return added
