"""The one window: what the estate should be, what its nodes say of themselves, and one judgement of both."""
