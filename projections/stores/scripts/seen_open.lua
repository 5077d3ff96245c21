-- KEYS: a filter. ARGV: a new life, how long a fill may take in ms. Answers the life of what is being filled there, or
-- nothing where it is filled.
local key, held = KEYS[1], call('GETRANGE', KEYS[1], 0, 12)
if held == '' then
  call('SET', key, '?' .. ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return string.sub(held, 1, 1) == '?' and string.sub(held, 2) or ''
