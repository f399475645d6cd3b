"""The log of answers: records, the days they are kept in, and tables made of them."""
