-- KEYS: one timeline. ARGV: expiry in ms, the score to begin at ('' for the newest), limit. Answers nothing where
-- there is no timeline, else its sentinel, low mark, pulls, and entries with scores; entries of the very score to
-- begin at come in addition to the limit, because only their reader knows which of them are behind its mark.
local key, from, limit = KEYS[1], ARGV[2], tonumber(ARGV[3])
local sentinel = call('ZRANGE', key, 0, 0, 'WITHSCORES')
if not sentinel[1] then return {} end
call('PEXPIRE', key, ARGV[1])
if from == '' then
  from = '(inf'
else
  limit = limit + call('ZCOUNT', key, from, from)
end
local entries = call('ZREVRANGEBYSCORE', key, from, '(' .. sentinel[2], 'WITHSCORES', 'LIMIT', 0, limit)
return {sentinel[1], sentinel[2], call('ZREVRANGEBYSCORE', key, 'inf', 'inf'), entries}
