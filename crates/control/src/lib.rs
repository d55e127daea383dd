//! Settings as a log: keys, schemas, models, policies and generations, folded from the control topic.
