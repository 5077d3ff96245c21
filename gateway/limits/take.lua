-- KEYS: buckets. ARGV: for each what one token owes, and what an empty bucket owes, in microseconds; then how many
-- tokens to take: 1, or -1 to give one back. All buckets give or none does.
-- A bucket is stored as the time when it is full again, by this server's clock, and expires then. Where the clock stepped
-- back it owes more than it can, and is empty from then on. Answers 1 or 0, and what each bucket owes.
local call, words = redis.call, ARGV
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local tokens = tonumber(words[#words])
local held = call('MGET', unpack(KEYS))

local function keep(key, debt)
  call('SET', key, string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000))
end

local owed, wanted, granted = {1}, {}, true
for number = 1, #KEYS do
  local token, most = tonumber(words[2 * number - 1]), tonumber(words[2 * number])
  local debt = math.max((held[number] or now) - now, 0)
  if debt > most then
    debt = most
    keep(KEYS[number], debt)
  end
  owed[number + 1] = debt
  wanted[number] = math.max(debt + tokens * token, 0)
  if tokens > 0 and wanted[number] > most then granted = false end
end
if not granted then
  owed[1] = 0
  return owed
end
for number, key in ipairs(KEYS) do
  local debt = wanted[number]
  owed[number + 1] = debt
  if debt > 0 then
    keep(key, debt)
  else
    call('DEL', key)
  end
end
return owed
