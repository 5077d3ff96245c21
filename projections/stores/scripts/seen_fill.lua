-- KEYS: a filter. ARGV: the life that was opened, when the filter ends (Unix ms), the filter, the largest length.
local key, held = KEYS[1], call('GET', KEYS[1])
if not held or string.sub(held, 1, 13) ~= '?' .. ARGV[1] then return 0 end
call('SET', key, ARGV[3], 'PXAT', ARGV[2])
if call('EXISTS', key) == 0 then return 0 end
local seen = {}
for at = 14, #held, 8 do
  local first, step = struct.unpack('>I4I4', held, at)
  seen[#seen + 1] = {first, step}
end
add(key, seen, tonumber(ARGV[4]))
return 1
