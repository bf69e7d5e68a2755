"""What each tenant was given and what it used: counted once, refused clearly, told of before it is used up."""
