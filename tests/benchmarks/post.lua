-- wrk script: single readings from 1 000 devices, each with its own timestamp, prepared before the run.
local bodies = {}
local next_body = 0

function init(args)
  local now = os.time() - 3600
  math.randomseed(7)
  for i = 1, 20000 do
    bodies[i] = wrk.format("POST", "/api/v1/device", { ["Content-Type"] = "application/json" }, string.format(
      '{"device_id":"bench-%04d","tag":"Thermostat","timestamp":%d.%03d,"temperature":%.2f}',
      i % 1000, now + math.floor(i / 1000), i % 1000, 20 + math.random() * 5))
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
