-- wrk script: batches of 1 000 readings, prepared before the run.
local bodies = {}
local next_body = 0

function init(args)
  local now = os.time() - 3600
  math.randomseed(7)
  for batch = 1, 50 do
    local readings = {}
    for i = 1, 1000 do
      readings[i] = string.format('{"device_id":"bench-%04d","tag":"Thermostat","timestamp":%d.%03d,"temperature":%.2f}',
        i, now + batch, i % 1000, 20 + math.random() * 5)
    end
    bodies[batch] = wrk.format("POST", "/api/v1/devices", { ["Content-Type"] = "application/json" },
      "[" .. table.concat(readings, ",") .. "]")
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
