-- KEYS: a projection's positions. ARGV: partition, next offset, "next offset|outputs|counts|parked", expected. Only
-- ever forward, and not at all where less than expected is held: what the caller built on was lost meanwhile.
local held = redis.call('HGET', KEYS[1], ARGV[1])
local at = held and tonumber(string.match(held, '^%d+')) or 0
if at < tonumber(ARGV[4]) then return -1 end
if held and at >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
