-- What the scripts of seen stories share. A viewer's day is one string:
--   being filled  "?" .. life, twelve letters .. what was seen meanwhile, each as two numbers of four bytes
--   filled        "!" .. how many stories, four bytes .. the bits
local call = redis.call
local HEAD_BYTES, HASHES, BITS_PER_STORY, PENDING_MAX = 5, 7, 9.65, 500

-- Adds stories to a filter that is there. It never grows: a bit behind its end would double what it takes.
local function add(key, pairs_of, largest)
  local length = call('STRLEN', key)
  local bits, count = (length - HEAD_BYTES) * 8, struct.unpack('>I4', call('GETRANGE', key, 1, 4))
  for _, pair in ipairs(pairs_of) do
    local new = false
    for number = 0, HASHES - 1 do
      local place = HEAD_BYTES * 8 + (pair[1] + number * pair[2]) % bits
      if call('SETBIT', key, place, 1) == 0 then new = true end
    end
    if new then count = count + 1 end
  end
  if length < largest and count > math.floor(bits / BITS_PER_STORY) then
    call('UNLINK', key)
  else
    call('SETRANGE', key, 1, struct.pack('>I4', count))
  end
end
