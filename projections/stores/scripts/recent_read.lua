-- KEYS: authors. ARGV: the score to begin at ('' for the newest), limit. Answers for each author nothing where it must
-- be filled, else its low mark and its posts' members, joined; posts of the very score to begin at come in addition to
-- the limit, because only their reader knows which of them are behind its mark.
local answer = {}
for number, key in ipairs(keys) do
  local _, kind, _, mark = state_of(key)
  if kind == '!' then
    local from, limit = '(inf', tonumber(words[2])
    if words[1] ~= '' then
      from = words[1]
      limit = limit + call('ZCOUNT', key, from, from)
    end
    answer[number] = {mark, table.concat(call('ZREVRANGEBYSCORE', key, from, '(' .. mark, 'LIMIT', 0, limit))}
  else
    answer[number] = false
  end
end
return answer
