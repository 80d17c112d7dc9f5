INSERT INTO orders (customer, product) VALUES ('Customer 000000000000', 'Mechanical keyboard');
