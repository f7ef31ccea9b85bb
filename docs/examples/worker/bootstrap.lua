-- bootstrap.lua: the one file that ncworker loads by itself. It loads the others, says what is
-- called when, and holds the hooks. All of it is explained in docs/worker-guide.md.
--
--     ncworker -id shelf-1 -region shop:eu -script docs/examples/worker
--
-- and then, for example:
--
--     ncctl call -target shop -fn tasks.test1 -data '{"price": 10, "pieces": 4}'

tasks = require("tasks") -- what others may call: `tasks.test1` is function test1 of this table
utils = require("utils") -- for ourselves: nobody else can call what is not in `tasks` …
config.Tasks = { ["utils.whoami"] = {} } -- … unless it is named here

-- Called regularly: seconds by name of function. A call that still runs is not called again.
schedules = { ["tasks.heartbeat"] = 0.5 }

-- Called for events whose whole name matches: names of functions by regular expression (RE2).
events = { ["shop\\.delivered"] = "tasks.onDelivered" }

-- Before the node is known to anybody. An error here: the worker does not start, or, at a reload,
-- stays with the scripts it has.
function init()
	utils.remember("started", os.time())
	logf("%s of %s begins", config.id, table.concat(config.regions, ", "))
end

-- The node is known and may be asked.
function afterInit()
	emit("shop.opened", { id = config.id })
end

-- A task that nobody has. What is returned is the answer, an error makes it fail. Without this
-- function the caller is told that the function is unknown.
function onDefaultMessage(data, task)
	log.warn("asked for " .. task.name)
	return { unknown = task.name, data = data }
end

-- Something failed: a task, a scheduled call, an event, a hook (`where.kind`, `where.name`). The
-- caller has been told already, and so has the log.
function onError(where, message)
	utils.count("errors")
	emit("shop.error", { id = config.id, kind = where.kind, name = where.name, message = message })
end

-- The worker stops: no more tasks come, the node is still known.
function beforeFinalize()
	emit("shop.closing", { id = config.id })
end

-- The last thing, also for these scripts when others have taken their place (SIGHUP).
function finalize()
	logf("%s has ended, %d errors", config.id, utils.counted("errors"))
end
