-- KEYS: filters. ARGV: the largest length, then for each filter the number of stories and the two numbers of each.
local largest, at = tonumber(ARGV[1]), 2
for _, key in ipairs(KEYS) do
  local seen = {}
  for number = 1, tonumber(ARGV[at]) do
    seen[number] = {tonumber(ARGV[at + 2 * number - 1]), tonumber(ARGV[at + 2 * number])}
  end
  at = at + 1 + 2 * #seen
  local state = call('GETRANGE', key, 0, 0)
  if state == '!' then
    add(key, seen, largest)
  elseif state == '?' then
    for _, pair in ipairs(seen) do call('APPEND', key, struct.pack('>I4I4', pair[1], pair[2])) end
    if call('STRLEN', key) > 13 + 8 * PENDING_MAX then call('UNLINK', key) end
  end
end
return 0
