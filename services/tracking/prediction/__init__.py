"""Predictions in real time: is the breakaway caught, who wins, when does the race end.

What the words mean, for every forecast and for its record:

- A *group* is what the tracker calls one at this moment; lost and finished riders are in none.
- The *peloton* is the foremost group that is at least half as large as the largest one. On a climb that tears the field
  apart it is the favourites who ride in front, not the larger group that has let them go.
- The *breakaway* is the first group on the road, if the peloton is behind it. Other groups between the two are chases:
  they may win the stage, but no forecast of a catch is made for them. Where the peloton leads there is no breakaway,
  and the forecast's `catch` is null. It is the riders who are in the first group now, whoever joins them later.
- The breakaway is *caught* when the head of the peloton, as it then is, has reached the last of these riders who was
  still ahead of it, before that rider has crossed the line. One who stays ahead to the line and it is not caught.
- *Where* and *when* of the catch are medians of those simulated endings in which it is caught, null where they are few.
- The *winner* is the first across the line, the *finish* the moment of that.
- Before the start and after the first rider has finished nothing is forecast any more.
- Of a time trial nothing is forecast: nobody is caught, and the first across the line is not the winner. A course that
  is shorter than `forecaster.SHORTEST_M` is taken for one.
- The *interval* of the finish holds four of five finishes on a course that the model was not fitted on.

Every forecast depends on the course, the fitted model and the observations of the last `forecaster.KEEP_S` seconds
only, so that whoever starts again in mid-race makes the same ones.
"""
