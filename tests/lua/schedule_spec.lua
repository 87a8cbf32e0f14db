local schedule = require "weir.schedule"

describe("schedules", function()
  local function at(s, step)
    s.rate, s.last = 0.1, 100
    return schedule.rate(s, step)
  end

  it("are constant, linear or a half cosine", function()
    assert.equal(0.1, at({ name = "constant" }, 77))
    assert.near(0.1, at({ name = "cosine" }, 0), 1e-15)
    assert.near(0.05, at({ name = "cosine" }, 50), 1e-15)
    assert.near(0, at({ name = "cosine" }, 100), 1e-15)
    assert.near(0, at({ name = "cosine" }, 150), 1e-15)
    assert.near(0.025, at({ name = "linear" }, 75), 1e-15)
    assert.near(0.01, at({ name = "cosine", least = 0.01 }, 100), 1e-15)
  end)

  it("rise first when they warm up", function()
    local last = 0
    for step = 0, 9 do
      local rate = at({ name = "cosine", warmup = 10 }, step)
      assert.truthy(rate > last and rate < 0.1)
      last = rate
    end
    assert.near(0.1, at({ name = "cosine", warmup = 10 }, 10), 1e-15)
  end)

  it("follow the factor of a plateau, down to the least", function()
    assert.near(0.025, at({ name = "plateau", factor = 0.25 }, 5), 1e-15)
    assert.near(0.03, at({ name = "plateau", factor = 0.25, least = 0.03 }, 5), 1e-15)
  end)

  it("have known names", function()
    assert.has_error(function() schedule.check "cosin" end)
    local _, message = pcall(schedule.check, "cosin")
    assert.truthy(message:find "did you mean cosine")
  end)
end)
