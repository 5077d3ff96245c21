-- KEYS: cache entries. ARGV: expiry in ms, fields at most, seal in ms, then for each key when it ends (Unix ms, or '' for
-- after the expiry), the number of its fields and each field's name, version and stored form: "version|value", or
-- "version" alone for what is known to be absent.
--
-- An entry that outgrows its bound is forgotten and sealed: until the seal is gone nothing is kept under the key.
-- Otherwise a reader that read a row before its last change would put the old value where the new one just was.
--
-- A field "name/part" is a part of the sum "name", which is there once "name/*" said that all parts are.
local call = redis.call
local lifetime, fields_max, seal = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local SEALED = '!'

local function version_of(stored)
  return tonumber(string.match(stored, '^%-?%d+'))
end

local function number_of(stored)
  return stored and tonumber(string.match(stored, '|(.*)$')) or 0
end

local function put_sum(key, name, sum)
  call('HSET', key, name, string.format('0|%.0f', sum))
end

local function sum_up(key, name)
  local sum, fields, prefix = 0, call('HGETALL', key), name .. '/'
  for at = 1, #fields, 2 do
    if string.sub(fields[at], 1, #prefix) == prefix then sum = sum + number_of(fields[at + 1]) end
  end
  put_sum(key, name, sum)
end

local at = 4
for _, key in ipairs(KEYS) do
  local ends, count = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 1
  local names = {}
  for number = 1, count do names[number] = ARGV[at + 3 * number - 2] end
  local held = call('HMGET', key, SEALED, unpack(names))
  if not held[1] then
    local complete, seen = {}, {}
    for number = 1, count do
      local field, version, stored = names[number], tonumber(ARGV[at + 3 * number - 1]), ARGV[at + 3 * number]
      local name, part = string.match(field, '^([^/]*)/(.*)$')
      if part == '*' then
        complete[#complete + 1] = name
      else
        local old = held[number + 1]
        if seen[field] then old = call('HGET', key, field) end
        seen[field] = true
        if not old or version > version_of(old) then
          call('HSET', key, field, stored)
          local sum = name and call('HGET', key, name)
          if sum then put_sum(key, name, number_of(sum) + number_of(stored) - number_of(old)) end
        end
      end
    end
    for _, name in ipairs(complete) do sum_up(key, name) end
    if call('HLEN', key) > fields_max then
      call('DEL', key)
      call('HSET', key, SEALED, '')
      call('PEXPIRE', key, seal)
    elseif ends ~= '' then
      call('PEXPIREAT', key, ends)
    else
      call('PEXPIRE', key, lifetime)
    end
  end
  at = at + 1 + 3 * count
end
return 0
