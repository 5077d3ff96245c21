-- KEYS: one timeline. ARGV: expiry in ms, the score to begin at ('' for the newest), limit. Answers nothing where
-- there is no timeline, else its state and pulls, and its entries with scores; entries of the very score to begin at
-- come in addition to the limit, because only their reader knows which of them are behind its mark.
local key, from, limit = keys[1], words[2], tonumber(words[3])
local tops = call('ZREVRANGEBYSCORE', key, 'inf', 'inf')
if not tops[1] then return {} end
call('PEXPIRE', key, words[1])
if from == '' then
  from = '(inf'
else
  limit = limit + call('ZCOUNT', key, from, from)
end
local mark = string.match(tops[1], ':(%d+)$')
return {tops, call('ZREVRANGEBYSCORE', key, from, '(' .. mark, 'WITHSCORES', 'LIMIT', 0, limit)}
