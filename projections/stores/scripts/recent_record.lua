-- KEYS: authors. ARGV: cap, bound, then for each author the number of changes, and of each its version, score, member
-- and whether the post is there ('+') or gone ('-'). Answers for each author whether anything is kept (1) or not (0).
local cap, bound = tonumber(words[1]), tonumber(words[2])
local answer, at = {}, 3
for number, key in ipairs(keys) do
  local count = tonumber(words[at])
  local state, kind, life, mark, version = state_of(key)
  if state then
    local held, newest = tonumber(version), tonumber(version)
    for change = 0, count - 1 do
      local place = at + 4 * change
      local change_version, score, member = tonumber(words[place + 1]), words[place + 2], words[place + 3]
      if change_version > held then
        newest = math.max(newest, change_version)
        if words[place + 4] == '-' then
          call('ZREM', key, member)
          if kind == '?' then call('ZADD', key, 'inf', '\254' .. string.sub(member, 1, 16)) end
        elseif tonumber(score) > tonumber(mark) then
          call('ZADD', key, score, member)
        end
      end
    end
    put_state(key, state, kind, life, trimmed(key, cap, bound, mark), string.format('%.0f', newest))
  end
  answer[number] = state and 1 or 0
  at = at + 1 + 4 * count
end
return answer
