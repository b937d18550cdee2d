"""Gender-disaggregated budget indicator analytics."""
