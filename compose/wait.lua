-- Holds a request until a PostgREST is ready, for at most 10 s: compose/haproxy.cfg says when.
core.register_action("wait_for_api", { "http-req" }, function()
  local deadline = core.now().sec + 10
  while core.backends.api:get_srv_act() == 0 and core.now().sec < deadline do
    core.msleep(50)
  end
end, 0)
