-- Holds a request until a PostgREST is ready, for at most 10 s: compose/haproxy.cfg says when.

-- The servers of `api`, but for the backup, which leads back here.
local function is_ready()
  for name, server in pairs(core.backends.api.servers) do
    if name ~= "within" and server:get_stats().status:find("^UP") then
      return true
    end
  end
  return false
end

core.register_action("wait_for_api", { "http-req" }, function(txn)
  local deadline = core.now().sec + 10
  while not is_ready() do
    if core.now().sec >= deadline then
      txn:set_var("txn.api_away", true)
      return
    end
    core.msleep(50)
  end
end, 0)
