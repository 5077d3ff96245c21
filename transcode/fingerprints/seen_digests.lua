-- A shard of a Bloom filter: one string, its head first, then its bits. The head is the marker of a filling while one is
-- under way, and that of a whole filter afterwards; it is in the same string as the bits, so that nothing can take the
-- one and leave the other.
-- KEYS: the shard. ARGV: what to do, the head of a whole filter, and
--   'ask':    the bits of a digest. Answers 0 where it is not there, 1 where it may be, 2 where the shard is not whole.
--   'add':    bits to set. They are set in a shard that is not whole as well.
--   'look':   answers 1 where the shard is whole.
--   'begin':  the marker of a filling, which takes the place of any other.
--   'finish': the marker. Answers 1 where the shard is whole now, 0 where it lost the marker since.
local call, key, whole = redis.call, KEYS[1], ARGV[2]
local head = call('GETRANGE', key, 0, #whole - 1)
local shift = #whole * 8
if ARGV[1] == 'ask' then
  if head ~= whole then return 2 end
  for number = 3, #ARGV do
    if call('GETBIT', key, shift + tonumber(ARGV[number])) == 0 then return 0 end
  end
  return 1
elseif ARGV[1] == 'add' then
  for number = 3, #ARGV do call('SETBIT', key, shift + tonumber(ARGV[number]), 1) end
  return 1
elseif ARGV[1] == 'look' then
  return head == whole and 1 or 0
elseif ARGV[1] == 'begin' then
  call('SETRANGE', key, 0, ARGV[3])
  return 1
end
if head == whole then return 1 end
if head ~= ARGV[3] then return 0 end
call('SETRANGE', key, 0, whole)
return 1
