-- wrk script: readings of 1 000 devices, each with its own timestamp, prepared before the run.
-- Arguments: "single" (one reading a request) or "batch" (1 000 of them); a bearer token, where one is wanted.
local JSON = { ["Content-Type"] = "application/json" }
local bodies = {}
local next_body = 0

local function reading(device, second, millisecond)
  return string.format('{"device_id":"bench-%04d","tag":"Thermostat","timestamp":%d.%03d,"temperature":%.2f}',
    device, second, millisecond, 20 + math.random() * 5)
end

function init(args)
  local first = os.time() - 3600
  math.randomseed(7)
  if args[2] and args[2] ~= "" then JSON["Authorization"] = "Bearer " .. args[2] end
  if args[1] == "batch" then
    for batch = 1, 50 do
      local readings = {}
      for i = 1, 1000 do readings[i] = reading(i, first + batch, i % 1000) end
      bodies[batch] = wrk.format("POST", "/api/v1/devices", JSON, "[" .. table.concat(readings, ",") .. "]")
    end
  else
    for i = 1, 20000 do
      bodies[i] = wrk.format("POST", "/api/v1/device", JSON, reading(i % 1000, first + math.floor(i / 1000), i % 1000))
    end
  end
end

function request()
  next_body = next_body % #bodies + 1
  return bodies[next_body]
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %.0f %.0f %.3f\n", summary.requests, summary.duration,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99), os.clock()))
end
