// The sink of the channel `control`: requests in, answers to who asked, nothing routed anywhere.
// That control's events never reach the router is what keeps them apart from all others. Owned by
// Server; loop thread only.
#pragma once

#include "administration.hpp"
#include "interfaces.hpp"

namespace netcluster::daemon {

class Control final : public FrameSink {
  public:
    /// `turns`: whose `endTurn` closes a turn of the loop.
    Control(Administration& administration, FrameSink& turns)
        : administration_(administration), turns_(turns) {}

    std::size_t onEvents(Source& source, const wire::EventRun& events) override;
    void endTurn() override { turns_.endTurn(); }

  private:
    void onRequest(Source& source, const wire::EventView& event);
    Administration::Reply replyLater(Source& source, const wire::EventView& event) const;

    Administration& administration_;
    FrameSink& turns_;
};

}  // namespace netcluster::daemon
