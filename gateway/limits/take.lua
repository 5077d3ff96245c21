-- Checks, one after the other: each takes a token from all of its buckets, or from none where one has none left.
-- KEYS: the buckets of all checks. ARGV: how many tokens to take, 1, or -1 to give one back; then for each check how many
-- buckets it has, and for each of these what one token owes and what an empty bucket owes, in microseconds.
-- A bucket is stored as the time when it is full again, by this server's clock, and expires then. Where the clock stepped
-- back it owes more than it can, and is empty from then on. Answers for each check 1 or 0, and what its buckets owe.
local call, keys, words = redis.call, KEYS, ARGV
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local tokens = tonumber(words[1])
local debts, changed, answer = {}, {}, {}
for number, full in ipairs(call('MGET', unpack(keys))) do
  debts[keys[number]] = math.max((full or now) - now, 0)
end

-- What a bucket owes and would owe.
local function look(key, at)
  local token, most = tonumber(words[at]), tonumber(words[at + 1])
  if debts[key] > most then debts[key], changed[key] = most, true end
  local wanted = math.max(debts[key] + tokens * token, 0)
  return wanted, tokens < 0 or wanted <= most
end

local first, at = 1, 2
while first <= #keys do
  local last = first + tonumber(words[at]) - 1
  local wanted, granted = {}, true
  for number = first, last do
    local holds
    wanted[number], holds = look(keys[number], at + 1 + 2 * (number - first))
    granted = granted and holds
  end
  answer[#answer + 1] = granted and 1 or 0
  for number = first, last do
    local key = keys[number]
    if granted then debts[key], changed[key] = wanted[number], true end
    answer[#answer + 1] = debts[key]
  end
  at = at + 1 + 2 * (last - first + 1)
  first = last + 1
end

for key in pairs(changed) do
  local debt = debts[key]
  if debt > 0 then
    call('SET', key, string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000))
  else
    call('DEL', key)
  end
end
return answer
