"""The arithmetic of :mod:`.pools` in Lua: one script, so that every step is atomic in Redis.

The state of a group is one value, packed; it goes away when nobody has used it for a while. Time
is that of Redis. Besides the pools it has the line of those who wait, one from each process: what
those before need is not given to others, so that the order holds without anybody having to be
woken. What was granted and never accounted for, because its process died, is after
:data:`FORGOTTEN_AFTER` seconds.

``KEYS[1]`` is the group, ``ARGV[1]`` what to do as JSON, without nulls; so is what comes back.
"""

from __future__ import annotations

FORGOTTEN_AFTER = 900
"""Seconds after which a request without an end counts as over; no call takes longer than 10 min."""
GONE_AFTER = 5
"""Seconds after which who waits, and has not asked again, has left the line."""
KEPT_FOR = 1800
"""Seconds that a group is kept without use."""

SCRIPT = """
local TINY, CAUTION, ROUNDING, ASSUMED = 1e-6, 1 - 1e-9, 500, 60
local todo = cjson.decode(ARGV[1])
local now = todo.now
if not now then
  local time = redis.call('TIME')
  -- Milliseconds: as JSON, a number keeps 14 digits.
  now = tonumber(time[1]) + math.floor(tonumber(time[2]) / 1000) / 1000
end

local function new_pool()
  return {capacity = 0, level = 0, filled = now, assumed = false, granted = 0, settled = 0}
end

local packed = redis.call('GET', KEYS[1])
local state
if packed then
  state = cmsgpack.unpack(packed)
else
  state = {known = todo.limits and true or false, paused = 0, pools = {}, lines = {}, opened = {}}
  if todo.limits then
    for name, limit in pairs(todo.limits) do
      local pool = new_pool()
      pool.limit, pool.capacity, pool.level = limit, limit, limit
      state.pools[name] = pool
    end
  else
    local pool = new_pool()
    pool.limit, pool.capacity, pool.level, pool.assumed = ASSUMED, todo.ramp, todo.ramp, true
    state.pools.requests = pool
  end
end

local function pool_of(name)
  local pool = state.pools[name]
  if not pool then
    pool = new_pool()
    state.pools[name] = pool
  end
  if pool.limit and now > pool.filled then
    local gained = (now - pool.filled) * pool.limit / 60 * CAUTION
    pool.level = math.min(pool.capacity, pool.level + gained)
  end
  pool.filled = math.max(now, pool.filled)
  return pool
end

local function correct(pool, cost, used)
  pool.granted = pool.granted + used - cost
  pool.settled = pool.settled + used
  pool.level = math.min(pool.capacity, pool.level + cost - used)
end

local function minute_of(at)
  return tostring(math.floor(at / 60))
end

local function close(name, cost, at)
  local opened = state.opened[minute_of(at)]
  if opened and opened[name] then
    opened[name] = opened[name] - cost
    if math.abs(opened[name]) < TINY then opened[name] = nil end
    if next(opened) == nil then state.opened[minute_of(at)] = nil end
  end
end

for minute, opened in pairs(state.opened) do
  if tonumber(minute) * 60 + 60 + %(forgotten)d < now then
    for name, cost in pairs(opened) do
      pool_of(name).settled = pool_of(name).settled + cost
    end
    state.opened[minute] = nil
  end
end

-- Returns seconds, pool and whether they are certain; nothing if there is enough.
local function shortage(costs, before)
  local longest, scarce, busy = 0, '', false
  for name, cost in pairs(costs) do
    local pool = pool_of(name)
    if not pool.limit then
      if string.sub(name, 1, 9) == 'priority-' then return 1e9, name, false end
    else
      busy = busy or pool.assumed or pool.granted - pool.settled > TINY
      local missing = math.min(cost, pool.capacity) - pool.level
      for _, other in ipairs(before) do
        missing = missing + math.min(other[name] or 0, pool.capacity)
      end
      if missing > 0 then
        local seconds = (missing + TINY) * 60 / pool.limit
        if seconds > longest then longest, scarce = seconds, name end
      end
    end
  end
  if longest > 0 then return longest, scarce, not busy and #before == 0 end
end

local function learn(pool, told, own, mark, sent)
  local limit, remaining, full_in = told[1], told[2], told[3]
  local rate = limit / 60
  local exact = own > 0 or (remaining %% 1000 ~= 0 and remaining ~= limit)
  local slack = exact and 0 or ROUNDING
  local least = remaining - slack - (pool.granted - mark) + own
  local most = remaining + slack + rate * (now - sent) - (pool.granted - pool.settled)
  local room = full_in and rate * (full_in - 2) + remaining or limit
  room = math.min(limit, math.max(room - slack, remaining - slack + own, 1))
  local known = pool.limit and not pool.assumed
  if known and pool.limit == limit then
    pool.capacity = math.max(pool.capacity, room)
  else
    pool.limit, pool.capacity, pool.assumed = limit, room, false
  end
  if known then
    pool.level = math.min(math.max(pool.level, least), math.max(most, least))
  else
    pool.level = least
  end
  pool.level = math.min(pool.level, pool.capacity)
end

local function leave(lane)
  local line = state.lines[lane] or {}
  local kept = {}
  for _, waiting in ipairs(line) do
    if waiting.id ~= todo.id then table.insert(kept, waiting) end
  end
  state.lines[lane] = #kept > 0 and kept or nil
end

local reply = {now = now}
if todo.op == 'take' then
  local before, kept, mine = {}, {}, nil
  for _, waiting in ipairs(state.lines[todo.lane] or {}) do
    if waiting.id == todo.id then
      mine = waiting
      table.insert(kept, waiting)
    elseif waiting.seen > now - %(gone)d then
      if not mine then table.insert(before, waiting.costs) end
      table.insert(kept, waiting)
    end
  end
  local pause = state.paused - now
  local best
  if pause > TINY then
    best = {pause, '', true}
  else
    for index, costs in ipairs(todo.options) do
      local seconds, scarce, certain = shortage(costs, before)
      if not seconds then
        reply.granted, reply.marks = index, {}
        local minute = minute_of(now)
        local opened = state.opened[minute] or {}
        state.opened[minute] = opened
        for name, cost in pairs(costs) do
          local pool = pool_of(name)
          pool.level = pool.level - cost
          pool.granted = pool.granted + cost
          reply.marks[name] = pool.settled
          opened[name] = (opened[name] or 0) + cost
        end
        break
      end
      if not best or seconds < best[1] then best = {seconds, scarce, certain} end
    end
  end
  if #kept > 0 then state.lines[todo.lane] = kept else state.lines[todo.lane] = nil end
  if reply.granted then
    leave(todo.lane)
  else
    reply.seconds, reply.pool, reply.certain = best[1], best[2], best[3]
    if not mine then
      mine = {id = todo.id}
      table.insert(kept, mine)
      state.lines[todo.lane] = kept
    end
    mine.seen, mine.costs = now, todo.options[#todo.options]
  end
elseif todo.op == 'leave' then
  leave(todo.lane)
elseif todo.op == 'answer' then
  if todo.pause > 0 then state.paused = math.max(state.paused, now + todo.pause) end
  for name, cost in pairs(todo.costs) do
    local pool, own = pool_of(name), 0
    if name == 'requests' then
      pool.settled = pool.settled + cost
      close(name, cost, todo.at)
      own = cost
    end
    if todo.told[name] then
      state.known = true
      learn(pool, todo.told[name], own, todo.marks[name] or pool.settled, todo.at)
    end
  end
  local requests = pool_of('requests')
  if todo.teaches then
    state.known = true
    if requests.assumed then requests.limit, requests.assumed = nil, false end
  elseif todo.pause > 0 and not todo.told.requests then
    requests.level = math.min(requests.level, 0)
  end
else
  for name, cost in pairs(todo.costs) do
    local pool = pool_of(name)
    if todo.op == 'finish' then
      if name ~= 'requests' then
        correct(pool, cost, todo.spent[name] or cost)
        close(name, cost, todo.at)
      end
    else
      correct(pool, cost, todo.op == 'give_back' and 0 or cost)
      close(name, cost, todo.at)
    end
  end
end

redis.call('SET', KEYS[1], cmsgpack.pack(state), 'EX', %(kept)d)
reply.known = state.known
reply.paused = math.max(state.paused - now, 0)
reply.pools = {}
for name, pool in pairs(state.pools) do
  if pool.limit then reply.pools[name] = {pool.limit, pool.level, pool.capacity} end
end
return cjson.encode(reply)
""" % {"forgotten": FORGOTTEN_AFTER, "gone": GONE_AFTER, "kept": KEPT_FOR}  # noqa: UP031
"""What Redis runs. Each function of :mod:`.pools` is in it under the same name."""
