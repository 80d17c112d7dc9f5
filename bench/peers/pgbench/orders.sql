CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_time timestamptz DEFAULT now(), customer text, product text);
